package io.evento.spring;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.Service;
import java.lang.annotation.Annotation;
import java.util.List;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.annotation.AnnotatedBeanDefinition;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurationPackages;
import org.springframework.context.annotation.AnnotationBeanNameGenerator;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.Environment;
import org.springframework.core.io.ResourceLoader;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.core.type.filter.AnnotationTypeFilter;
import org.springframework.util.ClassUtils;

/**
 * Looks through the packages of the application. What is a component of a bundle becomes a bean, if
 * it is none; aggregates and boundaries are records, and are only remembered.
 */
final class ComponentScan implements ImportBeanDefinitionRegistrar {
  static final List<Class<? extends Annotation>> STATES = List.of(Aggregate.class, Boundary.class);
  static final List<Class<? extends Annotation>> COMPONENTS =
      List.of(Service.class, Projector.class, Projection.class, Saga.class, Observer.class);

  private final BeanFactory factory;
  private final Environment environment;
  private final ResourceLoader resources;

  /** Spring gives what such a constructor asks for. */
  ComponentScan(BeanFactory factory, Environment environment, ResourceLoader resources) {
    this.factory = factory;
    this.environment = environment;
    this.resources = resources;
  }

  @Override
  public void registerBeanDefinitions(
      AnnotationMetadata importing, BeanDefinitionRegistry registry) {
    var packages =
        AutoConfigurationPackages.has(factory)
            ? AutoConfigurationPackages.get(factory)
            : List.<String>of();
    var names = AnnotationBeanNameGenerator.INSTANCE;
    for (var found : find(packages, COMPONENTS)) {
      var type = ClassUtils.resolveClassName(found.getBeanClassName(), resources.getClassLoader());
      if (((ListableBeanFactory) factory).getBeanNamesForType(type, true, false).length == 0) {
        registry.registerBeanDefinition(names.generateBeanName(found, registry), found);
      }
    }
    var states =
        find(packages, STATES).stream()
            .map(
                found ->
                    ClassUtils.resolveClassName(
                        found.getBeanClassName(), resources.getClassLoader()))
            .toArray(Class<?>[]::new);
    var remembered = new RootBeanDefinition(States.class, () -> new States(List.of(states)));
    registry.registerBeanDefinition(States.class.getName(), remembered);
  }

  /** The records that hold states. */
  record States(List<Class<?>> classes) {}

  private List<BeanDefinition> find(
      List<String> packages, List<Class<? extends Annotation>> annotations) {
    var scanner =
        new ClassPathScanningCandidateComponentProvider(false, environment) {
          @Override
          protected boolean isCandidateComponent(AnnotatedBeanDefinition found) {
            // Nested ones too, if they are static: a bundle may stand in one file.
            return found.getMetadata().isIndependent() && found.getMetadata().isConcrete();
          }
        };
    scanner.setResourceLoader(resources);
    annotations.forEach(each -> scanner.addIncludeFilter(new AnnotationTypeFilter(each)));
    return packages.stream()
        .flatMap(each -> scanner.findCandidateComponents(each).stream())
        .distinct()
        .toList();
  }
}
