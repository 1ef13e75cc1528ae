/**
 * Keeps sessions to the nodes.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>A session has one writer, and one frame under way. What comes meanwhile goes into the next
 *       frame, answers first.
 *   <li>A frame goes out at least every second. Whoever is silent for three seconds is given up, as
 *       a frozen peer keeps its sockets open for ever.
 *   <li>There is one session per node, and no more than needed: one for each address that was
 *       given, at least two if the cluster has two nodes.
 *   <li>Every queue has a bound; where answers overflow, the session is given up.
 * </ol>
 *
 * <p>Knows the protocol and nobody else of the SDK. Start reading at {@link
 * io.evento.bundle.session.Links}.
 */
@NullMarked
package io.evento.bundle.session;

import org.jspecify.annotations.NullMarked;
