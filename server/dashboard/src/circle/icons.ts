import type { LucideProps } from '@lucide/svelte';
import Accessibility from '@lucide/svelte/icons/accessibility';
import Baby from '@lucide/svelte/icons/baby';
import Bus from '@lucide/svelte/icons/bus';
import Dumbbell from '@lucide/svelte/icons/dumbbell';
import GraduationCap from '@lucide/svelte/icons/graduation-cap';
import HandHeart from '@lucide/svelte/icons/hand-heart';
import Hospital from '@lucide/svelte/icons/hospital';
import Landmark from '@lucide/svelte/icons/landmark';
import Library from '@lucide/svelte/icons/library';
import MapPin from '@lucide/svelte/icons/map-pin';
import Pill from '@lucide/svelte/icons/pill';
import School from '@lucide/svelte/icons/school';
import ShoppingBasket from '@lucide/svelte/icons/shopping-basket';
import Stethoscope from '@lucide/svelte/icons/stethoscope';
import Store from '@lucide/svelte/icons/store';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Component } from 'svelte';

const ICONS: Readonly<Record<string, Component<LucideProps>>> = {
  kindergarten: Baby,
  primary_school: GraduationCap,
  middle_school: School,
  cultural_station: Library,
  library: Library,
  health_station: Stethoscope,
  health_centre: Hospital,
  hospital: Hospital,
  pharmacy: Pill,
  elder_day_care: HandHeart,
  nursing_home: Accessibility,
  sports_ground: Dumbbell,
  market: ShoppingBasket,
  convenience_store: Store,
  bus_stop: Bus,
  service_station: Landmark,
  waste_point: Trash2,
};

/** The line icon of a category; the map's own symbols are filled. */
export function iconOf(category: string): Component<LucideProps> {
  return ICONS[category] ?? MapPin;
}
