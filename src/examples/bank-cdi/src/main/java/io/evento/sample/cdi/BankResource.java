package io.evento.sample.cdi;

import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.sample.cdi.Accounts.AccountView;
import io.evento.sample.cdi.Accounts.FindCdiAccount;
import io.evento.sample.cdi.CdiAccount.OpenCdiAccount;
import io.evento.sample.cdi.CdiAccount.PayIn;
import io.evento.sample.cdi.CdiAccount.PayOut;
import io.evento.sample.cdi.Letters.WriteLetter;
import jakarta.enterprise.context.RequestScoped;
import jakarta.inject.Inject;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;

/** The bank's own door. What the cluster refuses becomes a problem, without a catch here. */
@RequestScoped
@Path("accounts/{id}")
@Produces(MediaType.APPLICATION_JSON)
public class BankResource {
  @Inject private CommandGateway commands;
  @Inject private QueryGateway queries;

  @PathParam("id")
  private String id;

  @POST
  public JsonObject open(@QueryParam("owner") String owner) {
    return after(new OpenCdiAccount(id, owner));
  }

  @POST
  @Path("in")
  public JsonObject payIn(@QueryParam("amount") long amount) {
    return after(new PayIn(id, amount));
  }

  @POST
  @Path("out")
  public JsonObject payOut(@QueryParam("amount") long amount) {
    return after(new PayOut(id, amount));
  }

  @POST
  @Path("letter")
  @Produces(MediaType.TEXT_PLAIN)
  public String letter(@QueryParam("text") String text) {
    return commands.value(commands.send(new WriteLetter(id, text)), String.class);
  }

  @GET
  public JsonObject find() {
    return json(queries.ask(new FindCdiAccount(id), AccountView.class));
  }

  /** The account as it is once the read model has seen what the command did. */
  private JsonObject after(Object command) {
    var after = QueryOptions.after(commands.send(command));
    return json(queries.ask(new FindCdiAccount(id), AccountView.class, after));
  }

  private static JsonObject json(AccountView view) {
    if (view == null) {
      throw new NotFoundException();
    }
    return Json.createObjectBuilder()
        .add("accountId", view.accountId())
        .add("owner", view.owner())
        .add("balance", view.balance())
        .add("deposits", view.deposits())
        .build();
  }
}
