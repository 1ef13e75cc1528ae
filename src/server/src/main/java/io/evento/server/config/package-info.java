/** The one typed reading of the configuration. No table, no decision; known by every room. */
@NullMarked
package io.evento.server.config;

import org.jspecify.annotations.NullMarked;
