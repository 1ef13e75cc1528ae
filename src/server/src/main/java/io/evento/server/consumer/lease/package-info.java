/**
 * Who takes which segment, and for how long it is trusted. Start reading at {@link
 * io.evento.server.consumer.lease.LeaseKeeper}.
 */
@NullMarked
package io.evento.server.consumer.lease;

import org.jspecify.annotations.NullMarked;
