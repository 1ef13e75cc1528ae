package io.evento.spring;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.container.HandlerInterceptor;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Makes a bundle of an application: its aggregates and boundaries, found in its packages; its
 * services, projectors, projections, sagas and observers, which become beans. Offers {@link
 * CommandGateway} and {@link QueryGateway} for injection.
 */
@AutoConfiguration(
    afterName = {
      "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
      "org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration",
      "org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration"
    })
@EnableConfigurationProperties(EventoProperties.class)
@Import(ComponentScan.class)
public class EventoAutoConfiguration {
  /** For Spring. */
  public EventoAutoConfiguration() {}

  /** Where projectors work. */
  interface Store {
    void tell(EventoBundle.Builder builder, Set<Class<?>> components);
  }

  @Bean
  @ConditionalOnMissingBean
  BundleLifecycle eventoBundleLifecycle(
      EventoProperties properties,
      ComponentScan.States states,
      ConfigurableListableBeanFactory beans,
      ObjectProvider<HandlerInterceptor> interceptors,
      ObjectProvider<Store> store,
      Environment environment) {
    var name = properties.bundle();
    if (name == null) {
      name = environment.getProperty("spring.application.name", "");
    }
    if (name.isBlank()) {
      throw new InvalidBundleException(
          "set evento.bundle, or spring.application.name, to the name of this bundle, the same in"
              + " each of its instances");
    }
    var components = new ComponentBeans(beans);
    var builder =
        EventoBundle.named(name).components(components).waitForNode(properties.waitForNode());
    states.classes().forEach(builder::register);
    components.classes().forEach(builder::register);
    interceptors.orderedStream().forEach(builder::around);
    store.ifAvailable(found -> found.tell(builder, components.classes()));
    if (properties.enabled()) {
      builder.settings(properties.settings());
      // A component that cannot work ends the start of the application, before it does anything.
      builder.check();
    }
    return new BundleLifecycle(builder, components, properties.enabled());
  }

  @Bean
  @ConditionalOnMissingBean
  CommandGateway eventoCommands(BundleLifecycle lifecycle) {
    return lifecycle.commands();
  }

  @Bean
  @ConditionalOnMissingBean
  QueryGateway eventoQueries(BundleLifecycle lifecycle) {
    return lifecycle.queries();
  }

  /** Where the application has a data source. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(name = "org.springframework.jdbc.datasource.DataSourceUtils")
  static class StoreConfiguration {
    @Bean
    Store eventoStore(
        EventoProperties properties,
        ObjectProvider<DataSource> source,
        ObjectProvider<PlatformTransactionManager> manager) {
      return (builder, components) -> {
        var database = source.getIfUnique();
        if (database == null) {
          refuseSeveral("data sources", source.stream().count());
          return;
        }
        builder.jdbc(database);
        var transactions = manager.getIfUnique();
        if (properties.transactions() && transactions == null) {
          refuseSeveral("transaction managers", manager.stream().count());
        }
        if (properties.transactions() && transactions != null) {
          TransactionRules.check(components);
          builder.transactions(new SpringTransactions(transactions, database));
        }
      };
    }

    /** With one of several, rows and checkpoint might be in two transactions, without a word. */
    private static void refuseSeveral(String what, long count) {
      if (count > 1) {
        throw new InvalidBundleException(
            "there are "
                + count
                + " "
                + what
                + ", and projectors can work with one: mark it as @Primary");
      }
    }
  }
}
