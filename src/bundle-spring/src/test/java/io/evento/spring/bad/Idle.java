package io.evento.spring.bad;

import io.evento.bundle.api.Service;
import org.springframework.boot.autoconfigure.AutoConfigurationPackage;
import org.springframework.context.annotation.Configuration;

/** An application whose service does nothing. */
@Configuration
@AutoConfigurationPackage
public class Idle {
  @Service
  public static class Nothing {}
}
