package io.evento.spring;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.container.ComponentFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * The beans that are components: of a singleton the same instance at each call of a handler, of a
 * prototype a new one, of any other scope what it has at that time. What would fail at each call is
 * refused when the application starts.
 */
final class ComponentBeans implements ComponentFactory {
  /** There is one of a caller of the web alone, and handlers have none. */
  private static final Set<String> SCOPES_OF_CALLERS = Set.of("request", "session", "websocket");

  private final ConfigurableListableBeanFactory beans;

  /** Of beans, by the class with the annotation. */
  private final Map<Class<?>, String> names = new LinkedHashMap<>();

  /**
   * @throws InvalidBundleException if a component has no instance at the call of a handler, or
   *     several beans are the same component
   */
  ComponentBeans(ConfigurableListableBeanFactory beans) {
    this.beans = beans;
    for (var annotation : ComponentScan.COMPONENTS) {
      for (var name : beans.getBeanNamesForAnnotation(annotation)) {
        if (!ScopedProxyUtils.isScopedTarget(name)) {
          add(name);
        }
      }
    }
  }

  private void add(String name) {
    var defined = definition(name);
    var found = AutoProxyUtils.determineTargetClass(beans, defined);
    if (found == null) {
      return;
    }
    var type = ClassUtils.getUserClass(found);
    var other = names.putIfAbsent(type, name);
    if (other != null && !other.equals(name)) {
      throw new InvalidBundleException(
          "the beans "
              + other
              + " and "
              + name
              + " are both the component "
              + type.getSimpleName()
              + ", and its handlers can be called on one: leave one of them away");
    }
    var scope =
        beans.containsBeanDefinition(defined)
            ? beans.getMergedBeanDefinition(defined).getScope()
            : null;
    if (scope != null && SCOPES_OF_CALLERS.contains(scope)) {
      throw new InvalidBundleException(
          type.getSimpleName()
              + " has the scope "
              + scope
              + ", and no handler is called within one: leave the scope away, or make it prototype"
              + " for an instance for each call");
    }
  }

  /** Where the definition of a bean is: of one with a proxy for its scope, behind that. */
  private String definition(String name) {
    var behind = ScopedProxyUtils.getTargetBeanName(name);
    return beans.containsBeanDefinition(behind) ? behind : name;
  }

  Set<Class<?>> classes() {
    return names.keySet();
  }

  /**
   * Looks at what can only be known once the beans were made.
   *
   * @throws InvalidBundleException if calls would not come to a component
   */
  void check() {
    names.forEach((type, name) -> checkReaches(type, beans.getType(name)));
    for (var name : beans.getSingletonNames()) {
      var bean = beans.getSingleton(name);
      var type = componentOf(bean);
      if (bean == null || type == null || ScopedProxyUtils.isScopedTarget(name)) {
        continue;
      }
      checkReaches(type, bean.getClass());
      if (!name.equals(names.get(type))) {
        throw new InvalidBundleException(
            "the bean "
                + name
                + " is a "
                + type.getSimpleName()
                + ", which its declaration does not say: give its @Bean method that type, so that"
                + " the component is not made twice");
      }
    }
  }

  private static void checkReaches(Class<?> type, @Nullable Class<?> made) {
    if (made != null && !type.isAssignableFrom(made)) {
      throw new InvalidBundleException(
          type.getSimpleName()
              + " has a proxy of its interfaces, which has no handlers: set"
              + " spring.aop.proxy-target-class=true, which is the default, or let it implement no"
              + " interface");
    }
  }

  private static @Nullable Class<?> componentOf(@Nullable Object bean) {
    if (bean == null) {
      return null;
    }
    var type = ClassUtils.getUserClass(AopUtils.getTargetClass(bean));
    return ComponentScan.COMPONENTS.stream().anyMatch(type::isAnnotationPresent) ? type : null;
  }

  @Override
  public Object instance(Class<?> component) {
    var name = names.get(component);
    if (name == null) {
      throw new IllegalStateException(component.getName() + " is no bean of this application");
    }
    return beans.getBean(name);
  }

  /** What was made for one call ends with it. */
  @Override
  public void release(Class<?> component, Object instance) {
    var name = names.get(component);
    if (name != null && beans.isPrototype(name)) {
      beans.destroyBean(name, instance);
    }
  }
}
