package io.evento.server.routing.session;

/**
 * How an aggregate's handler keeps snapshots.
 *
 * @param schema of its state: snapshots of another one are of no use to it
 * @param every so many events; 0 for the server's default
 */
public record SnapshotRule(String schema, int every) {}
