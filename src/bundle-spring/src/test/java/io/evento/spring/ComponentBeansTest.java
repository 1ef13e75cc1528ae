package io.evento.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Service;
import io.evento.bundle.gateway.CommandGateway;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.CustomScopeConfigurer;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.context.support.SimpleThreadScope;

/** Beans of other scopes than singleton, and beans behind proxies. */
class ComponentBeansTest {
  private final ApplicationContextRunner application =
      new ApplicationContextRunner()
          .withConfiguration(AutoConfigurations.of(EventoAutoConfiguration.class))
          .withPropertyValues(
              "spring.application.name=scopes", "evento.servers=ws://127.0.0.1:9/evento");

  record Greet(String whom) {}

  /** Something else that a component is. */
  interface Greeting {}

  @Service
  static class Greeter implements Greeting, DisposableBean {
    private static final AtomicInteger ENDED = new AtomicInteger();

    @CommandHandler
    String greet(Greet command) {
      return command.whom();
    }

    @Override
    public void destroy() {
      ENDED.incrementAndGet();
    }
  }

  @Configuration
  static class Prototype {
    @Bean
    @Scope("prototype")
    Greeter greeter() {
      return new Greeter();
    }
  }

  @Configuration
  static class OfRequest {
    @Bean
    @Scope("request")
    Greeter greeter() {
      return new Greeter();
    }
  }

  @Configuration
  static class OfRequestByProxy {
    @Bean
    @Scope(value = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
    Greeter greeter() {
      return new Greeter();
    }
  }

  /** As the scope {@code refresh}: one that any thread may ask, behind a proxy. */
  @Configuration
  static class OfThread {
    @Bean
    static CustomScopeConfigurer scopes() {
      var scopes = new CustomScopeConfigurer();
      scopes.addScope("thread", new SimpleThreadScope());
      return scopes;
    }

    @Bean
    @Scope(value = "thread", proxyMode = ScopedProxyMode.TARGET_CLASS)
    Greeter greeter() {
      return new Greeter();
    }
  }

  @Configuration
  static class ByInterface {
    @Bean
    Greeting greeting() {
      return new Greeter();
    }
  }

  /** The same, where the bundle is asked for before anybody knows what the bean is. */
  @Configuration
  static class ByInterfaceAndLate {
    @Bean
    Object caller(CommandGateway commands) {
      return List.of(commands);
    }

    @Bean
    Greeting greeting() {
      return new Greeter();
    }
  }

  @Configuration
  static class Twice {
    @Bean
    Greeter first() {
      return new Greeter();
    }

    @Bean
    Greeter second() {
      return new Greeter();
    }
  }

  /** Puts a proxy of interfaces around it, as for {@code spring.aop.proxy-target-class=false}. */
  @Configuration
  static class Wrapped {
    @Bean
    static BeanPostProcessor wrapping() {
      return new BeanPostProcessor() {
        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
          return bean instanceof Greeter ? new ProxyFactory(bean).getProxy() : bean;
        }
      };
    }

    @Bean
    Greeter greeter() {
      return new Greeter();
    }
  }

  private void isRefused(Class<?> configuration, String why) {
    application
        .withUserConfiguration(configuration)
        .run(
            context ->
                assertThat(context)
                    .hasFailed()
                    .getFailure()
                    .rootCause()
                    .isInstanceOf(InvalidBundleException.class)
                    .hasMessage(why));
  }

  @Test
  void a_prototype_is_made_for_each_call_and_ends_with_it() {
    application
        .withUserConfiguration(Prototype.class)
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              var beans = new ComponentBeans(context.getBeanFactory());
              var ended = Greeter.ENDED.get();
              var one = beans.instance(Greeter.class);
              assertThat(beans.instance(Greeter.class)).isNotSameAs(one);
              beans.release(Greeter.class, one);
              assertThat(Greeter.ENDED).hasValue(ended + 1);
            });
  }

  @Test
  void a_scope_that_any_thread_may_ask_gives_its_instance_by_a_proxy() {
    application
        .withUserConfiguration(OfThread.class)
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              var beans = new ComponentBeans(context.getBeanFactory());
              assertThat(beans.classes()).containsExactly(Greeter.class);
              var greeter = (Greeter) beans.instance(Greeter.class);
              assertThat(greeter.greet(new Greet("Ada"))).isEqualTo("Ada");
            });
  }

  @Test
  void a_scope_of_callers_is_refused_with_and_without_a_proxy() {
    var why =
        "Greeter has the scope request, and no handler is called within one: leave the scope away,"
            + " or make it prototype for an instance for each call";
    isRefused(OfRequest.class, why);
    isRefused(OfRequestByProxy.class, why);
  }

  @Test
  void a_component_that_is_declared_by_an_interface_is_found_or_refused() {
    application
        .withUserConfiguration(ByInterface.class)
        .run(
            context ->
                assertThat(new ComponentBeans(context.getBeanFactory()).classes())
                    .containsExactly(Greeter.class));
    isRefused(
        ByInterfaceAndLate.class,
        "the bean greeting is a Greeter, which its declaration does not say: give its @Bean method"
            + " that type, so that the component is not made twice");
  }

  @Test
  void a_component_behind_a_proxy_of_its_interfaces_is_refused() {
    isRefused(
        Wrapped.class,
        "Greeter has a proxy of its interfaces, which has no handlers: set"
            + " spring.aop.proxy-target-class=true, which is the default, or let it implement no"
            + " interface");
  }

  @Test
  void two_beans_of_one_component_are_refused() {
    isRefused(
        Twice.class,
        "the beans first and second are both the component Greeter, and its handlers can be called"
            + " on one: leave one of them away");
  }
}
