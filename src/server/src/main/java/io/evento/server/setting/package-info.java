/**
 * What an operator may change while the cluster runs: names, ranges, defaults, and the rows that
 * say otherwise, with who changed them.
 *
 * <p>Owns the tables {@code setting} and {@code setting_audit}.
 */
@NullMarked
package io.evento.server.setting;

import org.jspecify.annotations.NullMarked;
