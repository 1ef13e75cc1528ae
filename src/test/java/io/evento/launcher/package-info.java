/**
 * Starts and stops a whole cluster on one machine: PostgreSQL, nodes, balancer and the sample bank,
 * each a process of its own. {@code mvn -Pcluster} runs it for people, scenario tests use the same
 * classes. What always holds:
 *
 * <ol>
 *   <li>Everything listens on 127.0.0.1 and nowhere else.
 *   <li>A node counts as started when it says that it is ready, never because its port is open.
 *   <li>No process outlives the launcher: a clean end stops them in order, and what a killed
 *       launcher left behind is ended by the next start, if it is still the same process.
 *   <li>A process that dies is not started again behind a person's back.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.launcher.Launcher}, then {@link
 * io.evento.launcher.LocalCluster}.
 */
@NullMarked
package io.evento.launcher;

import org.jspecify.annotations.NullMarked;
