package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.DeviceView;
import io.daosmesh.model.wire.DriversReply;
import java.util.List;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;

/** {@code daos:drivers}: driver bundles of this node with version, state, devices served, swaps and the last pause. */
@Service
@Command(scope = "daos", name = "drivers", description = "Driver bundles of this node")
public final class Drivers extends NodeCommand {
    @Override
    void run(AdminCalls calls, String here) throws CommandException {
        HostReplies<DriversReply> replies = calls.drivers(List.of(here));
        show(replies, () -> DeviceView.drivers(replies), () -> DeviceView.driversJson(replies));
    }
}
