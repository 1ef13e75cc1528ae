package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Projector} that is told when the store has lost events which the projector
 * has handled, as after a promotion that was not synchronous: it takes a {@link Rewound} and, in
 * any place after it, a {@code java.sql.Connection}.
 *
 * <p>It is called in the transaction in which the projector's own checkpoint goes back, before the
 * first event of the store's new life is handled; if it throws, nothing is changed, and it is
 * called again. So it can mark rows as doubtful, or empty them and have an operator reset the
 * consumer. It has to be on a projector whose handlers take a {@code Connection} or a {@link
 * io.evento.bundle.api.sql.SqlBatch}: only such a one knows for sure what it has handled.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface RewindHandler {}
