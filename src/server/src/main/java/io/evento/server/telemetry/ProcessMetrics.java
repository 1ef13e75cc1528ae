package io.evento.server.telemetry;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * What the process takes: processor, open files, pauses for garbage, classes. By the beans of
 * {@code java.lang.management} alone, as WildFly hides those of {@code com.sun.management} from a
 * WAR, and without a listener, which would hold the application's class loader after it is
 * undeployed.
 */
final class ProcessMetrics {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private ProcessMetrics() {}

  static void bindTo(MeterRegistry registry) {
    var runtime = ManagementFactory.getRuntimeMXBean();
    Gauge.builder("process_start_time_seconds", runtime, bean -> bean.getStartTime() / 1e3)
        .description("when the process began, since 1970")
        .register(registry);
    FunctionCounter.builder(
            "process_cpu_seconds",
            ProcessHandle.current(),
            self -> self.info().totalCpuDuration().map(cpu -> cpu.toNanos() / 1e9).orElse(0.0))
        .description("processor time of the process, all processors together")
        .register(registry);
    Gauge.builder("process_open_fds", DESCRIPTORS, ProcessMetrics::count)
        .description("open files and sockets; -1 where the system does not tell")
        .register(registry);
    Gauge.builder("process_processors", Runtime.getRuntime(), Runtime::availableProcessors)
        .description("processors that the process may use")
        .register(registry);
    for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      FunctionTimer.builder(
              "jvm_gc_collection",
              collector,
              bean -> bean.getCollectionCount(),
              bean -> bean.getCollectionTime(),
              TimeUnit.MILLISECONDS)
          .description("collections of garbage, and the time that they took")
          .tag("gc", collector.getName())
          .register(registry);
    }
    Gauge.builder(
            "jvm_classes_loaded",
            ManagementFactory.getClassLoadingMXBean(),
            bean -> bean.getLoadedClassCount())
        .description("classes that are loaded now")
        .register(registry);
  }

  private static double count(Path descriptors) {
    try (var all = Files.list(descriptors)) {
      return all.count();
    } catch (IOException hidden) {
      return -1;
    }
  }
}
