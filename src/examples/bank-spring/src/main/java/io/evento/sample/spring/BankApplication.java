package io.evento.sample.spring;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** A bundle of Spring's components: what is in this package is found. */
@SpringBootApplication
public class BankApplication {
  public static void main(String[] arguments) {
    SpringApplication.run(BankApplication.class, arguments);
  }
}
