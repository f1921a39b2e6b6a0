package io.daosmesh.model.audit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LedRequest;
import io.daosmesh.model.wire.LogMasksRequest;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RebindRequest;
import io.daosmesh.model.wire.ReplaceDeviceRequest;
import io.daosmesh.model.wire.SetFaultyRequest;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemEraseRequest;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a request of an {@linkplain RpcMethod#isAudited audited} RPC wants, in one short line: its names, numbers and switches.
 * Handles are never shown. Immutable, any thread.
 */
public final class AuditedRequest {
    /** Characters of a line; what is longer is cut. */
    static final int CHARACTERS_MAX = 200;

    /** A larger request is not read: nobody would see most of it. 4,096 ranks have 8 KiB. */
    private static final int BODY_BYTES_MAX = 16 << 10;

    private static final int ENTRIES_MAX = 8;
    private static final int VALUE_CHARACTERS_MAX = 64;

    /** @param changing without this field the request only asks; empty for one that always changes something */
    private record Kind(Message empty, String changing) {}

    private static final Map<RpcMethod, Kind> KINDS = Map.ofEntries(
            always(RpcMethod.STORAGE_FORMAT, StorageFormatRequest.getDefaultInstance()),
            Map.entry(RpcMethod.STORAGE_LED, new Kind(LedRequest.getDefaultInstance(), "action")),
            always(RpcMethod.STORAGE_SET_FAULTY, SetFaultyRequest.getDefaultInstance()),
            always(RpcMethod.STORAGE_REPLACE, ReplaceDeviceRequest.getDefaultInstance()),
            always(RpcMethod.STORAGE_REBIND, RebindRequest.getDefaultInstance()),
            always(RpcMethod.STORAGE_ADD_DEVICE, AddDeviceRequest.getDefaultInstance()),
            always(RpcMethod.LOG_MASKS, LogMasksRequest.getDefaultInstance()),
            always(RpcMethod.SYSTEM_ACTION, SystemActionRequest.getDefaultInstance()),
            Map.entry(RpcMethod.SYSTEM_PROPERTIES, new Kind(PropertiesRequest.getDefaultInstance(), "set")),
            Map.entry(RpcMethod.SYSTEM_ATTRIBUTES, new Kind(AttributesRequest.getDefaultInstance(), "op")),
            always(RpcMethod.POOL_CREATE, PoolCreateRequest.getDefaultInstance()),
            always(RpcMethod.POOL_DESTROY, PoolDestroyRequest.getDefaultInstance()),
            always(RpcMethod.POOL_TARGETS, PoolTargetsRequest.getDefaultInstance()),
            Map.entry(RpcMethod.POOL_PROPERTIES, new Kind(PropertiesRequest.getDefaultInstance(), "set")),
            always(RpcMethod.POOL_EVICT, PoolEvictRequest.getDefaultInstance()),
            Map.entry(RpcMethod.POOL_ACL, new Kind(AclRequest.getDefaultInstance(), "op")),
            always(RpcMethod.CONTAINER_CREATE, ContainerCreateRequest.getDefaultInstance()),
            always(RpcMethod.CONTAINER_DESTROY, ContainerRef.getDefaultInstance()),
            Map.entry(RpcMethod.CONTAINER_PROPERTIES, new Kind(ContainerPropertiesRequest.getDefaultInstance(), "set")),
            Map.entry(RpcMethod.CONTAINER_ACL, new Kind(AclRequest.getDefaultInstance(), "op")),
            always(RpcMethod.CONTAINER_OWNER, OwnerRequest.getDefaultInstance()),
            always(RpcMethod.POOL_REBUILD, PoolRebuildRequest.getDefaultInstance()),
            always(RpcMethod.SYSTEM_ERASE, SystemEraseRequest.getDefaultInstance()),
            always(RpcMethod.SELF_HEAL_EVAL, Empty.getDefaultInstance()),
            always(RpcMethod.POOL_UPGRADE, PoolRef.getDefaultInstance()));

    private AuditedRequest() {}

    private static Map.Entry<RpcMethod, Kind> always(RpcMethod method, Message empty) {
        return Map.entry(method, new Kind(empty, ""));
    }

    static Set<RpcMethod> known() {
        return KINDS.keySet();
    }

    /** What it wants; empty when it changes nothing, as it only asks or is not audited at all. */
    public static Optional<String> of(RpcMethod method, ByteBuffer body) {
        Kind kind = KINDS.get(method);
        if (kind == null) return Optional.empty();
        if (body.remaining() > BODY_BYTES_MAX) return Optional.of("(" + body.remaining() + " bytes)");
        Message request;
        try {
            request = DiscardUnknownFieldsParser.wrap(kind.empty.getParserForType())
                    .parseFrom(body.duplicate());
        } catch (InvalidProtocolBufferException e) {
            return Optional.of("(cannot be read)");
        }
        Map<FieldDescriptor, Object> set = request.getAllFields();
        boolean isChange = kind.changing.isEmpty()
                || set.keySet().stream().anyMatch(f -> f.getName().equals(kind.changing));
        if (!isChange) return Optional.empty();
        StringBuilder text = new StringBuilder();
        append(text, set);
        if (text.length() <= CHARACTERS_MAX) return Optional.of(text.toString());
        int end = CHARACTERS_MAX - 3;
        return Optional.of(text.substring(0, Character.isLowSurrogate(text.charAt(end)) ? end - 1 : end) + "...");
    }

    private static void append(StringBuilder to, Map<FieldDescriptor, Object> set) {
        for (Map.Entry<FieldDescriptor, Object> e : set.entrySet()) {
            FieldDescriptor f = e.getKey();
            if (f.getName().equals("request_id")) continue;
            List<?> values = f.isRepeated() ? (List<?>) e.getValue() : List.of(e.getValue());
            for (int i = 0; i < Math.min(values.size(), ENTRIES_MAX); i++) {
                if (to.length() > CHARACTERS_MAX) return;
                append(to, f, values.get(i));
            }
            if (values.size() > ENTRIES_MAX) add(to, f.getName(), "(" + values.size() + ")");
        }
    }

    private static void append(StringBuilder to, FieldDescriptor f, Object value) {
        if (f.isMapField()) {
            Message entry = (Message) value;
            List<FieldDescriptor> sides = entry.getDescriptorForType().getFields();
            add(to, shown(entry.getField(sides.get(0))), shown(entry.getField(sides.get(1))));
        } else if (f.getJavaType() == JavaType.MESSAGE) {
            append(to, ((Message) value).getAllFields());
        } else if (f.getJavaType() != JavaType.BYTE_STRING) {
            add(to, f.getName(), shown(value instanceof EnumValueDescriptor e ? e.getNumber() : value));
        } else if (!f.getName().contains("handle") && ((ByteString) value).size() == 16) {
            add(to, f.getName(), Ids.uuid((ByteString) value).toString());
        }
    }

    private static void add(StringBuilder to, String name, String value) {
        if (to.length() > 0) to.append(' ');
        to.append(name).append('=').append(value);
    }

    /** Plain words as they are, all else in quotes that it cannot end. */
    private static String shown(Object value) {
        String text = String.valueOf(value);
        if (text.length() <= VALUE_CHARACTERS_MAX && text.matches("[\\w.:@/,-]+")) return text;
        int length = Math.min(text.length(), VALUE_CHARACTERS_MAX);
        String cut = Printable.of(text.substring(0, length)).replace("'", "\\'");
        return "'" + cut + (length < text.length() ? "...'" : "'");
    }
}
