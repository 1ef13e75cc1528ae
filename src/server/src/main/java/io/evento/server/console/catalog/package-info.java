/**
 * What pages show of the catalog: types, components, and the map of what is between them. It is
 * answered from {@link io.evento.server.catalog.CatalogIndex}, so that ten thousand types cost no
 * more than the page that somebody looks at.
 */
@NullMarked
package io.evento.server.console.catalog;

import org.jspecify.annotations.NullMarked;
