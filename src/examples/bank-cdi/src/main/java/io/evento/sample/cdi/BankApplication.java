package io.evento.sample.cdi;

import jakarta.ws.rs.ApplicationPath;
import jakarta.ws.rs.core.Application;

/** Where the bank's door is. */
@ApplicationPath("api")
public class BankApplication extends Application {}
