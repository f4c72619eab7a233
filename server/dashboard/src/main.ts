import '@fontsource-variable/noto-sans-sc/index.css';
import 'maplibre-gl/dist/maplibre-gl.css';
import './app.css';
import { mount } from 'svelte';
import Page from './Page.svelte';
import { App } from './state/app.svelte.ts';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app.');
mount(Page, { target, props: { app: new App(location.search, innerWidth, innerHeight) } });
