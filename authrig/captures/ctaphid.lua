-- Shows CTAPHID (CTAP 2.3 §11.2) in HID reports of 64 bytes, and hands CBOR to Wireshark's own dissector.
-- Use: wireshark -X lua_script:"$(authrig key dissector)" FILE, or copy it into the folder for personal Lua plugins.

local ctaphid = Proto("ctaphid", "CTAPHID")

local commands = {
    [0x01] = "PING", [0x03] = "MSG", [0x04] = "LOCK", [0x06] = "INIT", [0x08] = "WINK",
    [0x10] = "CBOR", [0x11] = "CANCEL", [0x3b] = "KEEPALIVE", [0x3f] = "ERROR",
}
local ctap_commands = {
    [0x01] = "authenticatorMakeCredential", [0x02] = "authenticatorGetAssertion", [0x04] = "authenticatorGetInfo",
    [0x06] = "authenticatorClientPIN", [0x07] = "authenticatorReset", [0x08] = "authenticatorGetNextAssertion",
    [0x09] = "authenticatorBioEnrollment", [0x0a] = "authenticatorCredentialManagement",
    [0x0b] = "authenticatorSelection", [0x0c] = "authenticatorLargeBlobs", [0x0d] = "authenticatorConfig",
    [0x40] = "authenticatorBioEnrollment (preview)", [0x41] = "authenticatorCredentialManagement (preview)",
}
local statuses = {
    [0x00] = "OK", [0x01] = "INVALID_COMMAND", [0x02] = "INVALID_PARAMETER", [0x03] = "INVALID_LENGTH",
    [0x11] = "CBOR_UNEXPECTED_TYPE", [0x12] = "INVALID_CBOR", [0x14] = "MISSING_PARAMETER", [0x15] = "LIMIT_EXCEEDED",
    [0x17] = "FP_DATABASE_FULL", [0x18] = "LARGE_BLOB_STORAGE_FULL", [0x19] = "CREDENTIAL_EXCLUDED",
    [0x22] = "INVALID_CREDENTIAL", [0x26] = "UNSUPPORTED_ALGORITHM", [0x27] = "OPERATION_DENIED",
    [0x28] = "KEY_STORE_FULL", [0x2b] = "UNSUPPORTED_OPTION", [0x2c] = "INVALID_OPTION", [0x2d] = "KEEPALIVE_CANCEL",
    [0x2e] = "NO_CREDENTIALS", [0x2f] = "USER_ACTION_TIMEOUT", [0x30] = "NOT_ALLOWED", [0x31] = "PIN_INVALID",
    [0x32] = "PIN_BLOCKED", [0x33] = "PIN_AUTH_INVALID", [0x34] = "PIN_AUTH_BLOCKED", [0x35] = "PIN_NOT_SET",
    [0x36] = "PUAT_REQUIRED", [0x37] = "PIN_POLICY_VIOLATION", [0x39] = "REQUEST_TOO_LARGE", [0x3a] = "ACTION_TIMEOUT",
    [0x3b] = "UP_REQUIRED", [0x3c] = "UV_BLOCKED", [0x3d] = "INTEGRITY_FAILURE", [0x3e] = "INVALID_SUBCOMMAND",
    [0x3f] = "UV_INVALID", [0x40] = "UNAUTHORIZED_PERMISSION", [0x7f] = "OTHER",
}
local errors = {
    [0x01] = "INVALID_CMD", [0x02] = "INVALID_PAR", [0x03] = "INVALID_LEN", [0x04] = "INVALID_SEQ",
    [0x05] = "MSG_TIMEOUT", [0x06] = "CHANNEL_BUSY", [0x0a] = "LOCK_REQUIRED", [0x0b] = "INVALID_CHANNEL", [0x7f] = "OTHER",
}
local keepalives = { [0x01] = "PROCESSING", [0x02] = "UPNEEDED" }

local f = {
    channel = ProtoField.uint32("ctaphid.channel", "Channel", base.HEX),
    command = ProtoField.uint8("ctaphid.command", "Command", base.HEX, commands, 0x7f),
    length = ProtoField.uint16("ctaphid.length", "Length of the message", base.DEC),
    sequence = ProtoField.uint8("ctaphid.sequence", "Sequence number", base.DEC),
    data = ProtoField.bytes("ctaphid.data", "Data"),
    nonce = ProtoField.bytes("ctaphid.nonce", "Nonce"),
    allocated = ProtoField.uint32("ctaphid.allocated", "Allocated channel", base.HEX),
    protocol = ProtoField.uint8("ctaphid.protocol", "Protocol version", base.DEC),
    device = ProtoField.bytes("ctaphid.device_version", "Device version"),
    capabilities = ProtoField.uint8("ctaphid.capabilities", "Capabilities", base.HEX),
    wink = ProtoField.bool("ctaphid.capabilities.wink", "WINK", 8, nil, 0x01),
    cbor = ProtoField.bool("ctaphid.capabilities.cbor", "CBOR", 8, nil, 0x04),
    nmsg = ProtoField.bool("ctaphid.capabilities.nmsg", "no MSG", 8, nil, 0x08),
    keepalive = ProtoField.uint8("ctaphid.keepalive", "Status", base.HEX, keepalives),
    error = ProtoField.uint8("ctaphid.error", "Error", base.HEX, errors),
    ctap = ProtoField.uint8("ctaphid.ctap", "CTAP command", base.HEX, ctap_commands),
    status = ProtoField.uint8("ctaphid.status", "CTAP status", base.HEX, statuses),
}
ctaphid.fields = f

local reports = DissectorTable.get("usb.interrupt")
local HID, REPORT_BYTES = 0x03, 64
local other_hid = reports:get_dissector(HID)
local cbor = Dissector.get("cbor")
local direction_field = Field.new("usb.endpoint_address.direction")
local address_field = Field.new("usb.device_address")

local pending, wholes = {}, {}

function ctaphid.init()
    pending, wholes = {}, {}
end

-- The message that ends with this report, put together from all of its fragments; nil while some are missing.
-- Wireshark shows packets in any order later, so all is worked out when it reads them for the first time.
local function message(buffer, pinfo, key)
    if pinfo.visited then
        return wholes[pinfo.number]
    end
    local first = buffer(4, 1):uint()
    if first >= 0x80 then
        local length = buffer(5, 2):uint()
        pending[key] = { command = first - 0x80, length = length, sequence = 0,
                         data = buffer:bytes(7, math.min(length, REPORT_BYTES - 7)) }
    else
        local begun = pending[key]
        if begun == nil or begun.sequence ~= first then
            pending[key] = nil
            return nil
        end
        begun.sequence = first + 1
        begun.data:append(buffer:bytes(5, math.min(begun.length - begun.data:len(), REPORT_BYTES - 5)))
    end
    local reached = pending[key]
    if reached.data:len() < reached.length then
        return nil
    end
    pending[key] = nil
    wholes[pinfo.number] = reached
    return reached
end

local function show_init(data, tree)
    tree:add(f.nonce, data(0, 8))
    if data:len() >= 17 then
        tree:add(f.allocated, data(8, 4))
        tree:add(f.protocol, data(12, 1))
        tree:add(f.device, data(13, 3))
        local flags = tree:add(f.capabilities, data(16, 1))
        for _, flag in ipairs({ f.wink, f.cbor, f.nmsg }) do
            flags:add(flag, data(16, 1))
        end
    end
end

-- What the message says: the words for the list of packets.
local function show_message(whole, to_host, pinfo, tree)
    local name = commands[whole.command] or string.format("command 0x%02x", whole.command)
    if whole.length == 0 then
        return name
    end
    local data = whole.data:tvb("CTAPHID message")
    local code = data(0, 1):uint()
    if whole.command == 0x06 and whole.length >= 8 then
        show_init(data, tree)
    elseif whole.command == 0x3b then
        tree:add(f.keepalive, data(0, 1))
        name = name .. " " .. (keepalives[code] or string.format("0x%02x", code))
    elseif whole.command == 0x3f then
        tree:add(f.error, data(0, 1))
        name = name .. " " .. (errors[code] or string.format("0x%02x", code))
    elseif whole.command == 0x10 then
        local names = to_host and statuses or ctap_commands
        tree:add(to_host and f.status or f.ctap, data(0, 1))
        name = name .. " " .. (names[code] or string.format("0x%02x", code))
        if whole.length > 1 then
            pcall(cbor.call, cbor, data(1):tvb(), pinfo, tree)
        end
    else
        tree:add(f.data, data())
    end
    return name
end

function ctaphid.dissector(buffer, pinfo, tree)
    if buffer:len() ~= REPORT_BYTES then
        return other_hid and other_hid:call(buffer, pinfo, tree) or 0
    end
    local endpoint, address = direction_field(), address_field()
    local to_host = endpoint ~= nil and endpoint.value == 1
    local key = string.format("%s %s %08x", address and address.value or 0, to_host, buffer(0, 4):uint())
    local whole = message(buffer, pinfo, key)
    local branch = tree:add(ctaphid, buffer())
    branch:add(f.channel, buffer(0, 4))
    local said
    if buffer(4, 1):uint() >= 0x80 then
        branch:add(f.command, buffer(4, 1))
        branch:add(f.length, buffer(5, 2))
        branch:add(f.data, buffer(7))
        said = commands[buffer(4, 1):uint() - 0x80] or "unknown command"
    else
        branch:add(f.sequence, buffer(4, 1))
        branch:add(f.data, buffer(5))
        said = "fragment " .. buffer(4, 1):uint()
    end
    if whole then
        said = show_message(whole, to_host, pinfo, branch)
    end
    branch:append_text(": " .. said)
    pinfo.cols.protocol = "CTAPHID"
    pinfo.cols.info = said
    return buffer:len()
end

reports:add(HID, ctaphid)
