package io.evento.server.gateway.http;

import jakarta.ws.rs.ApplicationPath;
import jakarta.ws.rs.core.Application;

/** Everything over HTTP lives below {@code /evento/api}. */
@ApplicationPath("api")
public class RestApplication extends Application {}
