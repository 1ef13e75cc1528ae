/**
 * Looks at the whole cluster: what it does now, and what is wrong with it. Reads what the other
 * rooms know; none of them knows it but the doors.
 *
 * <ol>
 *   <li>What is asked for every second is asked of the nodes over their links, never of the
 *       database ({@link io.evento.server.monitor.ClusterRates}).
 *   <li>One node at a time looks for alarms ({@link io.evento.server.monitor.AlarmWatch}); an alarm
 *       is active at most once for its kind and subject.
 * </ol>
 */
@NullMarked
package io.evento.server.monitor;

import org.jspecify.annotations.NullMarked;
