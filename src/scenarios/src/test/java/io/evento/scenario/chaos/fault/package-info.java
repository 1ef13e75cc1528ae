/**
 * Faults of a cluster: what can be done to its processes, its links and its database, and which of
 * them come when. Everything that is drawn comes from one seed.
 */
package io.evento.scenario.chaos.fault;
