/** An application for tests. */
@NullMarked
package io.evento.spring.bad;

import org.jspecify.annotations.NullMarked;
