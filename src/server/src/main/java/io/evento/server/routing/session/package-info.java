/** Who is connected, here and elsewhere, what they host, and who does not answer. */
@NullMarked
package io.evento.server.routing.session;

import org.jspecify.annotations.NullMarked;
