/** Who is silent, and who is only heard late. Knows nobody. */
@NullMarked
package io.evento.protocol.silence;

import org.jspecify.annotations.NullMarked;
