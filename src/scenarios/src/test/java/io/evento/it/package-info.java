/** The built WAR in a real application server, asked from outside. */
@NullMarked
package io.evento.it;

import org.jspecify.annotations.NullMarked;
