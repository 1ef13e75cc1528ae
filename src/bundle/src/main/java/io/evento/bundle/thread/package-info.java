/** Executors with a bound: what does not fit in is refused at once, never queued without end. */
@NullMarked
package io.evento.bundle.thread;

import org.jspecify.annotations.NullMarked;
