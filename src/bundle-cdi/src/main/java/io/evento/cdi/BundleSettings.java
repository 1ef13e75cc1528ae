package io.evento.cdi;

import io.evento.bundle.api.InvalidBundleException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jspecify.annotations.Nullable;

/**
 * What the application says of its bundle, by MicroProfile Config where the server has it, else by
 * system properties and environment variables.
 *
 * @param name of the bundle, {@code evento.bundle.name}
 * @param dataSource JNDI name of where projectors work, {@code evento.bundle.datasource}; null for
 *     none
 * @param isJta whether the transactions of projectors are the container's; {@code
 *     evento.bundle.transactions} is {@code jta}, or {@code jdbc} for the data source's own
 * @param threads JNDI name of the factory of the handlers' threads, {@code evento.bundle.threads};
 *     {@code own} for those of the SDK, which know nothing of the container
 * @param source of all other settings
 */
record BundleSettings(
    String name,
    @Nullable String dataSource,
    boolean isJta,
    String threads,
    Function<String, Optional<String>> source) {
  /** Says that the threads are the SDK's. */
  static final String OWN_THREADS = "own";

  private static final String NAME = "evento.bundle.name";
  private static final String TRANSACTIONS = "evento.bundle.transactions";

  /**
   * @throws InvalidBundleException if a setting is missing or has no meaning
   */
  static BundleSettings read() {
    var source = available();
    var name =
        source
            .apply(NAME)
            .orElseThrow(
                () ->
                    new InvalidBundleException(
                        "set "
                            + NAME
                            + " to the name of this bundle, the same in each of its instances, as"
                            + " in META-INF/microprofile-config.properties"));
    var transactions = source.apply(TRANSACTIONS).orElse("jta");
    if (!transactions.equals("jta") && !transactions.equals("jdbc")) {
      throw new InvalidBundleException(TRANSACTIONS + " must be jta or jdbc, is " + transactions);
    }
    return new BundleSettings(
        name,
        source.apply("evento.bundle.datasource").orElse(null),
        transactions.equals("jta"),
        source.apply("evento.bundle.threads").orElse("java:comp/DefaultManagedThreadFactory"),
        source);
  }

  private static Function<String, Optional<String>> available() {
    try {
      return MicroProfile.source();
    } catch (LinkageError | IllegalStateException absent) {
      return BundleSettings::ofProcess;
    }
  }

  private static Optional<String> ofProcess(String key) {
    var variable = key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    return Optional.ofNullable(System.getProperty(key))
        .or(() -> Optional.ofNullable(System.getenv(variable)))
        .filter(value -> !value.isBlank());
  }

  /** Apart, so that this class is linked without the API. */
  private static final class MicroProfile {
    static Function<String, Optional<String>> source() {
      var config = ConfigProvider.getConfig();
      return key -> config.getOptionalValue(key, String.class);
    }
  }
}
