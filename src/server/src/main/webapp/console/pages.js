/**
 * The pages, in the order of the rail. One line each:
 *
 * - `name` is the address and the module: `nodes` is `/evento/console/nodes` and `pages/nodes.js`
 * - `key` goes there after `g`
 * - `needs` is who may see it, as in `core/can.js`; without it everybody, and the page says who may what
 * - `css` says that there is a `pages/NAME.css`
 * - `badge` is a member of the topic `badges`: a count that needs somebody
 */
export const GROUPS = ['Observe', 'Operate', 'Understand', 'Administer'];

/**
 * @type {{name: string, title: string, group: string, icon: string, key?: string, needs?: string,
 *   css?: boolean, badge?: string}[]}
 */
export const PAGES = [
  {name: 'dashboard', title: 'Dashboard', group: 'Observe', icon: 'dashboard', key: 'd', needs: 'view', css: true},
  {name: 'map', title: 'Map', group: 'Observe', icon: 'map', key: 'm', needs: 'view', css: true},
  {name: 'events', title: 'Events', group: 'Observe', icon: 'events', key: 'e', needs: 'read', css: true},
  {name: 'capacity', title: 'Flows', group: 'Observe', icon: 'capacity', key: 'f', needs: 'view', css: true},
  {name: 'consumers', title: 'Consumers', group: 'Operate', icon: 'consumers', key: 'c', needs: 'view', css: true, badge: 'consumers'},
  {name: 'letters', title: 'Dead letters', group: 'Operate', icon: 'letters', key: 'l', needs: 'view', css: true, badge: 'letters'},
  {name: 'schedules', title: 'Scheduled', group: 'Operate', icon: 'clock', key: 'w', needs: 'view'},
  {name: 'nodes', title: 'Nodes', group: 'Operate', icon: 'nodes', key: 'n', needs: 'view', css: true, badge: 'nodesAway'},
  {name: 'bundles', title: 'Bundles', group: 'Operate', icon: 'bundles', key: 'b', needs: 'view'},
  {name: 'payloads', title: 'Payloads', group: 'Understand', icon: 'payloads', key: 'y', needs: 'view'},
  {name: 'components', title: 'Components', group: 'Understand', icon: 'components', key: 'o', needs: 'view'},
  {name: 'send', title: 'Send', group: 'Understand', icon: 'send', key: 'x', needs: 'view', css: true},
  {name: 'flow', title: 'Flow', group: '', icon: 'flows', needs: 'read', css: true},
  {name: 'streams', title: 'Streams', group: 'Understand', icon: 'streams', key: 's', needs: 'read', css: true},
  {name: 'snapshots', title: 'Snapshots', group: 'Understand', icon: 'snapshots', key: 'p', needs: 'view'},
  {name: 'settings', title: 'Settings', group: 'Administer', icon: 'settings', key: 't', needs: 'view', css: true},
  {name: 'access', title: 'Access', group: 'Administer', icon: 'access', key: 'a', css: true},
  {name: 'audit', title: 'Audit', group: 'Administer', icon: 'audit', key: 'u', needs: 'audit', css: true},
  {name: 'verify', title: 'Verify', group: 'Administer', icon: 'verify', key: 'v', needs: 'view'},
];
