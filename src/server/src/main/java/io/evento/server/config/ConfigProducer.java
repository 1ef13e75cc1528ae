package io.evento.server.config;

import io.evento.server.NodeScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.ConfigProvider;

/** Hands out the node's configuration; nobody else asks MicroProfile Config. */
@NodeScoped
public class ConfigProducer {
  @Produces
  @Singleton
  ServerConfig read() {
    return ServerConfig.read(ConfigProvider.getConfig());
  }

  @Produces
  @Singleton
  HealthConfig readHealth() {
    return HealthConfig.read(ConfigProvider.getConfig());
  }

  @Produces
  @Singleton
  PersonalConfig readPersonal() {
    return PersonalConfig.read(ConfigProvider.getConfig());
  }
}
