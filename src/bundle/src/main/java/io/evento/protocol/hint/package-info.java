/** Words for those who slipped. Knows nobody. */
@NullMarked
package io.evento.protocol.hint;

import org.jspecify.annotations.NullMarked;
