/**
 * The worst day: faults of all kinds come over a running cluster while callers, sagas and followers
 * are at work, and at the end checkers hold the history to every promise. Start reading at {@link
 * WorstDay}.
 *
 * <p>{@link PlantedBugsIT} demands of each checker that it finds what it is there for. It breaks
 * the database's own functions and rows as its superuser, which no node can be told to do.
 */
package io.evento.scenario.chaos;
