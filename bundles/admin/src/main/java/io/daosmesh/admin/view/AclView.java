package io.daosmesh.admin.view;

import io.daosmesh.model.access.Ace;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.wire.AclReply;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Owner and access control list of a pool or container. Source: daos-admin facts 2.4. */
public final class AclView {
    private AclView() {}

    /**
     * Reads back as the file of a list.
     *
     * @param verbose each entry in words, too
     */
    public static String text(AclReply reply, boolean verbose) {
        StringBuilder text = new StringBuilder();
        if (!reply.getOwner().isEmpty())
            text.append("# Owner: ").append(reply.getOwner()).append('\n');
        if (!reply.getGroup().isEmpty())
            text.append("# Owner Group: ").append(reply.getGroup()).append('\n');
        text.append("# Entries:\n");
        if (reply.getEntriesCount() == 0) text.append("#   None\n");
        for (Ace entry : Acl.of(reply.getEntriesList()).entries()) {
            if (verbose) text.append("# ").append(entry.words()).append('\n');
            text.append(entry).append('\n');
        }
        return text.toString();
    }

    public static Map<String, @Nullable Object> json(AclReply reply) {
        return Json.object(
                "entries", reply.getEntriesList(), "owner_user", reply.getOwner(), "owner_group", reply.getGroup());
    }
}
