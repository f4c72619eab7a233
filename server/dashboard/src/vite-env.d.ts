/// <reference types="vite/client" />
/// <reference types="svelte" />

declare module 'virtual:map-worker' {
  const url: string;
  export default url;
}
