/**
 * The worst day: faults of all kinds come over a running cluster while callers, sagas and followers
 * are at work, and at the end checkers hold the history to every promise. Start reading at {@link
 * WorstDay}.
 *
 * <p>Each checker was seen to find what it is there for: {@link PlantedBugsIT} breaks the
 * database's own functions and rows as its superuser, which no node can be told to do.
 */
package io.evento.scenario.chaos;
