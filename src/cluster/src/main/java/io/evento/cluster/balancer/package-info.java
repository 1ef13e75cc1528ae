/**
 * The load balancer of the development cluster, a process of its own. For real use there is HAProxy
 * ({@code docker/haproxy.cfg}); this one needs nothing but the build. What always holds:
 *
 * <ol>
 *   <li>A request goes to a node that said it is ready, twice a second asked.
 *   <li>When a node is taken out, everything open to it is closed at once, tunnels too: whoever
 *       waits learns it and can go elsewhere.
 *   <li>A request that may have reached a node is sent to no other one, unless its method promises
 *       that this is harmless.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.cluster.balancer.Balancer}.
 */
@NullMarked
package io.evento.cluster.balancer;

import org.jspecify.annotations.NullMarked;
