import { api } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import { failed } from './loadable.ts';

/** Who reads, and what they may. */
export class Reader {
  session = $state.raw<Session | null>(null);

  /** Without an answer the page works, and says so where rights matter. */
  async load(): Promise<void> {
    try {
      this.session = await api.session();
    } catch (error) {
      failed(error);
      this.session = null;
    }
  }

  /** Another reader sees another map: everything is asked for anew. */
  async signIn(token: string): Promise<boolean> {
    try {
      await api.signIn(token);
    } catch (error) {
      failed(error);
      return false;
    }
    location.reload();
    return true;
  }

  async signOut(): Promise<void> {
    await api.signOut();
    location.reload();
  }
}
