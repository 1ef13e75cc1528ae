/**
 * What happened, as pages look back at it: how many events when, what one request led to, what
 * state an aggregate had at a version. Nothing here changes anything.
 *
 * <p>Start reading at {@link io.evento.server.console.history.FlowResource}.
 */
@NullMarked
package io.evento.server.console.history;

import org.jspecify.annotations.NullMarked;
