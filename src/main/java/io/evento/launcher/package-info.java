/**
 * The processes of a cluster on one machine: how a node, PostgreSQL or a bundle is started,
 * watched, frozen and ended. {@code mvn -Pcluster}, the scenario tests and the test kit's embedded
 * cluster are made of it. What always holds:
 *
 * <ol>
 *   <li>Everything listens on 127.0.0.1 and nowhere else.
 *   <li>A node counts as started when it says that it is ready, never because its port is open.
 *   <li>No process outlives the launcher: a clean end stops them in order, and what a killed
 *       launcher left behind is ended by the next start, if it is still the same process.
 *   <li>A process that dies is not started again behind a person's back.
 * </ol>
 *
 * <p>Here is what the test kit hands on to users; the rest, which only this project needs, stands
 * among its tests. Start reading at {@link io.evento.launcher.Member}; people's launcher is {@code
 * Launcher}, then {@code LocalCluster}.
 */
@NullMarked
package io.evento.launcher;

import org.jspecify.annotations.NullMarked;
