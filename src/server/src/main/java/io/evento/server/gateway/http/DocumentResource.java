package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;

/**
 * The documents of the doors: OpenAPI of HTTP, AsyncAPI of the WebSocket. Written by hand and held
 * to real traffic by the tests.
 */
@NodeScoped
@Path("{document: (openapi|asyncapi)[.]json}")
@Produces(MediaType.APPLICATION_JSON)
public class DocumentResource {

  @GET
  @Needs(Access.KNOWN)
  public byte[] read(@PathParam("document") String document) throws IOException {
    try (var stream = DocumentResource.class.getResourceAsStream("/api/" + document)) {
      if (stream == null) {
        throw new IllegalStateException("the release lacks its " + document);
      }
      return stream.readAllBytes();
    }
  }
}
