/**
 * What handlers write rows with beside a {@code java.sql.Connection}: {@link
 * io.evento.bundle.api.sql.SqlBatch}. Uses nothing else of the SDK.
 */
@NullMarked
package io.evento.bundle.api.sql;

import org.jspecify.annotations.NullMarked;
