/**
 * Benchmarks: programs that print what they measured, with its conditions. Nothing here passes or
 * fails. Start reading at {@link io.evento.bench.Bench}.
 */
@NullMarked
package io.evento.bench;

import org.jspecify.annotations.NullMarked;
