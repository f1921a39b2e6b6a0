package io.daosmesh.client;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.OwnerRequest;
import java.util.HashMap;
import java.util.Map;

/** Lists of the containers of {@link FakeCluster}, whose only user is ada@. Owner: its lock. */
final class FakeAcls {
    private final Map<ByteString, Guarded> lists = new HashMap<>();

    void create(ContainerCreateRequest r) {
        lists.put(
                r.getContainer().getUuid(),
                Guarded.of(
                        Guarded.Kind.CONTAINER,
                        r.getUser().isEmpty() ? "ada@" : r.getUser(),
                        r.getGroup().isEmpty() ? "labs@" : r.getGroup(),
                        r.getAcl().getEntriesList()));
    }

    AclReply serve(ByteString container, AclRequest r) {
        Guarded now = lists.get(container);
        Acl given = Acl.of(r.getEntriesList());
        Acl next = switch (r.getOpValue()) {
            case 1 -> given;
            case 2 -> now.acl().updated(given);
            case 3 -> now.acl().without(Principal.parse(r.getPrincipal()));
            default -> now.acl();
        };
        lists.put(container, now.with(next));
        return AclReply.newBuilder()
                .setOwner(now.owner())
                .setGroup(now.group())
                .addAllEntries(next.lines())
                .build();
    }

    Empty serve(ByteString container, OwnerRequest r) {
        lists.put(container, lists.get(container).ownedBy(r.getUser(), r.getGroup()));
        return Empty.getDefaultInstance();
    }
}
