/**
 * What shadow versions hold back and hear, and how what they decide compares with the live version.
 * Owns the tables {@code shadow_command} and {@code shadow_comparison}.
 */
@NullMarked
package io.evento.server.consumer.shadow;

import org.jspecify.annotations.NullMarked;
