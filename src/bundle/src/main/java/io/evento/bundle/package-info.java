/**
 * The SDK: what a bundle, a JVM process that takes part in a cluster, is written with.
 *
 * <p>Commands, events, queries and views are plain records; annotations say who handles them;
 * {@link io.evento.bundle.EventoBundle} connects them with the cluster. What always holds:
 *
 * <ol>
 *   <li>Whatever cannot work fails at {@code start()} with a sentence that says what to do.
 *   <li>A command keeps its id through every repeat, so it has one outcome however often nodes die.
 *   <li>Answers never queue behind requests, and every queue has a bound.
 *   <li>Nothing is looked up by reflection per message: handlers are method handles.
 * </ol>
 *
 * <p>Below: {@code .gateway} sends and asks, {@code .session} keeps links to the nodes, {@code
 * .dispatch} finds and calls handlers, {@code .consumer} feeds projectors, {@code .payload} turns
 * records into JSON and back. Needs nothing but Jackson. Start reading at {@link
 * io.evento.bundle.EventoBundle}.
 */
@NullMarked
package io.evento.bundle;

import org.jspecify.annotations.NullMarked;
