package io.evento.spring.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;

/**
 * Starts the application without a web server and without a cluster, and offers {@link
 * EventoFixtures} for injection: its components, as the container made them, under the test kit.
 * Their database is the application's own, which a test configures as any other.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@SpringBootTest(
    webEnvironment = SpringBootTest.WebEnvironment.NONE,
    properties = "evento.enabled=false")
@Import(EventoFixtures.class)
public @interface EventoTest {}
