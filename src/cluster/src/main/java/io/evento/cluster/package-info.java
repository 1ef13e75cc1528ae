/**
 * A whole cluster on one machine: nodes, PostgreSQL with standbys, the balancer and the sample
 * bank, for people ({@code mvn -Pcluster}), scenarios and benchmarks. What always holds:
 *
 * <ol>
 *   <li>Everything listens on 127.0.0.1 and nowhere else.
 *   <li>No process outlives the launcher: a clean end stops them in order, and what a killed
 *       launcher left behind is ended by the next start, if it is still the same process.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.cluster.Launcher}, then {@link
 * io.evento.cluster.LocalCluster}; single processes are {@link io.evento.launcher.Member}s.
 */
@NullMarked
package io.evento.cluster;

import org.jspecify.annotations.NullMarked;
