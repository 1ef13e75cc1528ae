/** Fixtures that tests of several rooms share. */
@NullMarked
package io.evento.testing;

import org.jspecify.annotations.NullMarked;
