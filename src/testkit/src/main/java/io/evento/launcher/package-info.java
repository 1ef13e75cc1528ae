/**
 * Processes on one machine: how a node or a bundle is started, watched, frozen and ended. The test
 * kit's embedded cluster is made of it, and so are {@code mvn -Pcluster} and the scenarios. What
 * always holds:
 *
 * <ol>
 *   <li>Everything listens on 127.0.0.1 and nowhere else.
 *   <li>A node counts as started when it says that it is ready, never because its port is open.
 *   <li>A process that dies is not started again behind a person's back.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.launcher.Member}.
 */
@NullMarked
package io.evento.launcher;

import org.jspecify.annotations.NullMarked;
