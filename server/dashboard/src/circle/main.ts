import '@fontsource-variable/noto-sans-sc/index.css';
import 'maplibre-gl/dist/maplibre-gl.css';
import '../app.css';
import { mount } from 'svelte';
import { Circle } from './circle.svelte.ts';
import Page from './Page.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('circle.html has no #app.');
mount(Page, { target, props: { circle: new Circle(location.search, innerWidth, innerHeight) } });
