"""The table's rows for fields and for the values of enums."""

from dataclasses import dataclass

from ordre.conformance.table import DERIVED, INFERRED, NONE, SEEN, D, Evidence, S, Verdict, X


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that are alike; an ``absent`` field is one that the original has and Ordre has not."""

    verdict: Verdict
    evidence: Evidence
    names: str
    why: str = ""
    absent: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields' names."""
        return tuple(self.names.split())


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the API, and the schemas that are it: as it is sent, changed, answered."""

    name: str
    schemas: str
    groups: tuple[Group, ...]


_ENTITY = "id created_at created_by"
OBJECTS = (
    Object(
        "Order",
        "OrderAnswer NewOrder OrderChange",
        (
            Group(
                S,
                SEEN,
                "id created_at created_by updated_at currency status payment_status cancelled_reason cancelled_by cancelled_at"
                " closed_by closed_at customer gross_amount net_amount total_discount total_manual_discount_amount"
                " shipping_address billing_address metadata comment salesperson_id salesperson_name delivery_at pickup_at"
                " courier_id delivery_id pre_order time_to_live time_to_live_expires_at itinerary external_ids items version"
                " type order_number order_id multiple_authorizations payment_details sessions authorizations captures refunds"
                " cancellations discounts store external_links attachments comments _links events state",
            ),
            Group(X, NONE, "events_left_out", "how many events came before those that are shown"),
            Group(D, SEEN, "deleted_at deleted_by", "stand in an erased order alone", absent=True),
        ),
    ),
    Object(
        "Erased order",
        "ErasedOrder",
        (
            Group(S, SEEN, "order_number order_id external_ids created_at updated_at deleted_at"),
            Group(X, NONE, "id deleted_by version"),
        ),
    ),
    Object(
        "Draft",
        "DraftAnswer NewDraft DraftChange",
        (
            Group(S, SEEN, "order events"),
            Group(S, SEEN, "options", "as it is sent; that it is answered is inferred"),
            Group(S, DERIVED, "id"),
            Group(S, INFERRED, "status version created_at created_by updated_at deleted_at deleted_by"),
            Group(X, NONE, "order_ids _links", "of a completed draft: the orders that it became"),
            Group(X, NONE, "not_taken_over", "what an order that is there does not take over from it, as paths"),
        ),
    ),
    Object(
        "Draft.order",
        "DraftedOrder NewDraftOrder DraftOrderChange",
        (
            Group(
                S,
                SEEN,
                "currency customer gross_amount net_amount total_discount total_manual_discount_amount shipping_address"
                " billing_address items order_id store",
            ),
            Group(
                S,
                DERIVED,
                "metadata comment salesperson_id salesperson_name delivery_at pickup_at courier_id delivery_id pre_order"
                " time_to_live itinerary external_ids type order_number multiple_authorizations discounts external_links"
                " attachments",
            ),
        ),
    ),
    Object(
        "Draft.options",
        "DraftOptions",
        (
            Group(S, SEEN, "generate_order_id order_id split_draft replace serial_order_number_suffix"),
            Group(S, SEEN, "payout", "its shape is unknown: any JSON is kept and answered"),
        ),
    ),
    Object(
        "Item",
        "Item OrderItem NewItem ChangedItem",
        (
            Group(
                S,
                SEEN,
                "id line_id gross_amount net_amount quantity tax_lines status metadata groups description description_alias"
                " is_changed eligible_for_discount dimension discount_lines additions store external_id related_item"
                " salesperson_id salesperson_name comment version reversed_reason dynamic_payout payout original_currency"
                " original_gross_amount conversion_rate_ppm conversion_rate_timestamp conversion_rate_source",
            ),
            Group(S, SEEN, "manual_payout", "its shape is unknown: any JSON is kept and answered"),
            Group(X, NONE, "payment_details", "of an order's item, read-only: the rules are per line, so the answer is"),
        ),
    ),
    Object(
        "Tax line",
        "TaxLine",
        (
            Group(
                S,
                SEEN,
                "amount amount_dwh exempt included_in_price percentage tax_basis tax_basis_dwh tax_code tax_group",
                "recorded as sent",
            ),
        ),
    ),
    Object(
        "Discount line",
        "DiscountLine",
        (
            Group(
                S,
                SEEN,
                "amount percentage discount_type discount_subtype discount_id description line_id",
                "an amount is a size, not negative",
            ),
        ),
    ),
    Object("Addition", "Addition", (Group(S, SEEN, "id description quantity gross_amount groups"),)),
    Object("Group", "Group", (Group(S, SEEN, "id name"),)),
    Object("Dimension", "Dimension", (Group(S, SEEN, "color size style config variant"),)),
    Object("Related item", "RelatedItem", (Group(S, SEEN, "line_id type"),)),
    Object("Dynamic payout", "DynamicPayout", (Group(S, SEEN, "rule_type rule_id"),)),
    Object("Payout", "Payout", (Group(S, SEEN, "destinations", "a tree of any shape: kept and answered as it was sent"),)),
    Object(
        "Operation",
        "Operation NewOperation",
        (
            Group(
                S,
                SEEN,
                f"{_ENTITY} amount items processed_at processed_by payment_details metadata success authorization_id _links",
            ),
        ),
    ),
    Object(
        "Operation item",
        "OperationItem",
        (
            Group(
                S,
                SEEN,
                "line_id amount payout original_currency original_gross_amount conversion_rate_ppm conversion_rate_timestamp"
                " conversion_rate_source",
            ),
        ),
    ),
    Object(
        "Operation payout",
        "OperationPayout",
        (Group(S, SEEN, "rule_id rule_type destinations", "destinations are of any shape"),),
    ),
    Object(
        "Operation payment", "OperationPayment", (Group(S, SEEN, "psp payment_id payment_product payment_product_type card"),)
    ),
    Object("Card", "Card", (Group(S, SEEN, "masked_pan type brand metadata"),)),
    Object(
        "What remains",
        "PaymentDetails",
        (
            Group(
                S,
                SEEN,
                "remaining_capture_amount remaining_refund_amount remaining_cancellation_amount amount_due"
                " remaining_authorization_amount",
            ),
        ),
    ),
    Object(
        "A line's payments",
        "LinePayments",
        (
            Group(
                X,
                NONE,
                "authorized_amount captured_amount refunded_amount cancelled_amount remaining_authorization_amount"
                " remaining_capture_amount remaining_refund_amount remaining_cancellation_amount amount_due",
                "sums of successful operations on the line, and what remains of them: they add up to the order's",
            ),
        ),
    ),
    Object(
        "Session",
        "Session NewSession",
        (
            Group(S, SEEN, f"{_ENTITY} amount items processed_at metadata _links"),
            Group(S, SEEN, "profile_id url", "must be there; `url` may be empty (`{}`); neither is answered"),
        ),
    ),
    Object("Session item", "SessionItem AnsweredSessionItem", (Group(S, SEEN, "line_id amount", "`line_id` is text here"),)),
    Object("Session url", "SessionUrl", (Group(S, SEEN, "return_url callback_url merchant_terms_url"),)),
    Object(
        "Service event",
        "ServiceEvent NewEvent",
        (
            Group(S, SEEN, f"{_ENTITY} state service service_status description metadata _links version event_type"),
            Group(X, NONE, "created_by_name", "what the client is called now"),
        ),
    ),
    Object(
        "Api event",
        "ApiEvent",
        (
            Group(S, SEEN, f"{_ENTITY} version request draft_id event_type"),
            Group(X, NONE, "created_by_name", "what the client is called now"),
        ),
    ),
    Object("Api event's request", "Request", (Group(S, SEEN, "path method body"),)),
    Object("Events", "Events", (Group(S, SEEN, "events state"),)),
    Object(
        "Comment",
        "Comment NewComment",
        (
            Group(S, SEEN, f"{_ENTITY} visibility deleted_at deleted_by"),
            Group(S, SEEN, "body", "a deleted comment has none"),
        ),
    ),
    Object(
        "Customer",
        "Customer",
        (
            Group(
                S,
                SEEN,
                "first_name last_name id gender email metadata phone_number addresses pays_tax date_of_birth enrolled_by"
                " favorite_store company marketing_consent status term type",
            ),
        ),
    ),
    Object(
        "Customer's address",
        "CustomerAddress",
        (
            Group(
                S,
                SEEN,
                "address_line address_line_2 postal_code postal_place country latitude longitude type custom_type",
                "none is required; the sibling API requires three",
            ),
        ),
    ),
    Object("Enrolled by", "EnrolledBy", (Group(S, SEEN, "value type"),)),
    Object(
        "Company",
        "Company",
        (
            Group(
                S,
                SEEN,
                "bussiness_name organization_number department industry website number_of_employees",
                "`bussiness_name` is spelled so in the original",
            ),
        ),
    ),
    Object("Marketing consent", "MarketingConsent", (Group(S, SEEN, "sms email"),)),
    Object("Consent", "Consent", (Group(S, SEEN, "consent updated_at"),)),
    Object("Term", "Term", (Group(S, SEEN, "id"),)),
    Object(
        "Address",
        "Address",
        (
            Group(
                S,
                SEEN,
                "address_line address_line_2 postal_code postal_place country latitude longitude first_name last_name comment",
            ),
        ),
    ),
    Object("Order's store", "OrderStore", (Group(S, SEEN, "id organization_number name business_name comments"),)),
    Object("Item's store", "ItemStore", (Group(S, SEEN, "id organization_number name business_name comment"),)),
    Object(
        "Itinerary",
        "Leg",
        (
            Group(
                S,
                SEEN,
                "id operator arrival_address arrival_at departure_address departure_at travel_mode route_id vehicle_id summary"
                " distance duration tickets line_ids waypoints",
            ),
        ),
    ),
    Object(
        "Itinerary's address",
        "Stop",
        (
            Group(
                S,
                SEEN,
                "id name address_line address_line_2 postal_code postal_place country latitude longitude external_ids",
            ),
        ),
    ),
    Object("Distance, duration", "Measure", (Group(S, SEEN, "value"),)),
    Object("Ticket", "Ticket", (Group(S, SEEN, "class line seat zone passenger_id"),)),
    Object(
        "Waypoint",
        "Waypoint",
        (Group(S, SEEN, "latitude longitude display_name arrival_schedule_at departure_schedule_at"),),
    ),
    Object("External id", "ExternalId", (Group(S, SEEN, "id source description"),)),
    Object("External link", "ExternalLink", (Group(S, SEEN, "text href public"),)),
    Object("Discount", "Discount", (Group(S, SEEN, "id refs"),)),
    Object("Discount's reference", "DiscountRef", (Group(S, SEEN, "id amount statistics stamp usages items"),)),
    Object("Discount's statistics", "DiscountStatistics", (Group(S, SEEN, "amount stamp usage"),)),
    Object("Discount's item", "DiscountUse", (Group(S, SEEN, "line_id amount"),)),
    Object(
        "Attachment",
        "Attachment",
        (
            Group(
                S,
                SEEN,
                "id bus_reservation car_reservation ferry_reservation metro_reservation taxi_reservation train_reservation"
                " tram_reservation",
            ),
        ),
    ),
    Object("Reservation", "Reservation", (Group(S, SEEN, "booking_id line_ids passengers itinerary insurance"),)),
    Object("Passenger", "Passenger", (Group(S, SEEN, "id title first_name last_name"),)),
    Object(
        "Reservation's itinerary",
        "ReservedLeg",
        (
            Group(
                S,
                SEEN,
                "departure_address departure_at arrival_address arrival_at operator class line seat zone expires_at activates_at"
                " passenger_id",
            ),
        ),
    ),
    Object(
        "Reservation's address",
        "Place",
        (Group(S, SEEN, "address_line address_line_2 postal_code postal_place country latitude longitude"),),
    ),
    Object("Insurance", "Insurance", (Group(S, SEEN, "insurance_company insurance_type"),)),
    Object("Car reservation", "CarReservation", (Group(S, SEEN, "booking_id line_ids itinerary drivers insurance"),)),
    Object(
        "Car reservation's itinerary",
        "CarLeg",
        (Group(S, SEEN, "rental_company drivers_id pick_up_address pick_up_at drop_off_address drop_off_at class"),),
    ),
    Object("Link", "Link", (Group(S, SEEN, "href rel"),)),
    Object("List of orders", "OrderList", (Group(S, SEEN, "orders"),)),
    Object("List of drafts", "DraftList", (Group(S, SEEN, "draft_orders"),)),
    Object("List of authorizations", "Authorizations", (Group(S, SEEN, "authorizations"),)),
    Object("List of captures", "Captures", (Group(S, SEEN, "captures"),)),
    Object("List of refunds", "Refunds", (Group(S, SEEN, "refunds"),)),
    Object("List of cancellations", "Cancellations", (Group(S, DERIVED, "cancellations"),)),
    Object("List of sessions", "Sessions", (Group(S, DERIVED, "sessions"),)),
    Object("Cancelling an order", "Cancellation", (Group(S, INFERRED, "cancelled_reason"),)),
    Object("Status of items", "ItemStatuses", (Group(S, DERIVED, "items"),)),
    Object("Status of an item", "ItemStatus", (Group(S, DERIVED, "line_id status"),)),
    Object(
        "Asking for a token", "TokenRequest", (Group(S, SEEN, "grant_type audience"), Group(X, NONE, "client_id client_secret"))
    ),
    Object("Token", "Token", (Group(S, SEEN, "access_token token_type expires_in"),)),
    Object("Error", "ErrorBody", (Group(S, SEEN, "error"),)),
    Object("Error's content", "ErrorContent", (Group(S, SEEN, "code message errors"),)),
    Object(
        "Error's detail",
        "ErrorDetail",
        (
            Group(
                X,
                NONE,
                "code message path line_id sent expected amount remaining live reversed captured refunded limit currency "
                "parameter allowed kind status id order_id authorization_id current_version events left_out",
                "the original leaves them open",
            ),
        ),
    ),
    Object(
        "Subscription",
        "SubscriptionAnswer NewSubscription",
        (
            Group(S, SEEN, "config events active fields id created_at created_by updated_at deleted_at deleted_by"),
            Group(X, NONE, "state suspended_at suspended_reason position failures", "where it stands"),
        ),
    ),
    Object(
        "Subscription's config",
        "HookConfig NewHookConfig",
        (Group(S, SEEN, "url content_type insecure_ssl"), Group(S, SEEN, "secret", "is answered without the secret itself")),
    ),
    Object(
        "Subscription's secret",
        "HookSecret NewHookSecret",
        (Group(S, SEEN, "type value aws_access_key_id aws_secret_access_key region service"),),
    ),
    Object("Redelivery", "Redelivery", (Group(X, NONE, "after"),)),
    Object("Delivery", "DeliveryAnswer", (Group(D, INFERRED, "id created_at event state next_attempt_at attempts feed"),)),
    Object("Delivery's attempt", "AttemptAnswer", (Group(D, INFERRED, "created_at milliseconds status error"),)),
    Object("Difference", "Diff", (Group(X, NONE, "from to changes events events_left_out"),)),
    Object("Difference's change", "Change", (Group(X, NONE, "path before after"),)),
    Object("Feed", "Feed", (Group(X, NONE, "entries position end"),)),
    Object(
        "Feed's entry",
        "Entry",
        (Group(X, NONE, "position type id version kind created_at created_by created_by_name hash document order"),),
    ),
    Object("Keys", "PublicKeys", (Group(X, NONE, "keys"),)),
    Object("Key", "PublicKey", (Group(X, NONE, "kty kid alg use crv x"),)),
    Object("Health", "Health", (Group(X, NONE, "status version"),)),
)


@dataclass(frozen=True, slots=True)
class Enum:
    """The values that a field or parameter may have, wherever it stands."""

    name: str
    verdict: Verdict
    evidence: Evidence
    values: str
    why: str = ""


_KINDS = (
    "placed replaced lines_added updated authorization capture refund cancellation session service_event comment comment_deleted"
    " opened closed cancelled erased draft_added draft_updated draft_completed draft_deleted draft_erased"
)
_WORDS = "any other word is taken too"
ENUMS = (
    Enum("Order.status", S, SEEN, "open closed cancelled"),
    Enum("Order.payment_status", S, SEEN, "pending partially_paid paid partially_refunded refunded"),
    Enum("Order.cancelled_reason", S, SEEN, "customer declined other"),
    Enum("Order.state", S, SEEN, "failure pending success"),
    Enum("Draft.status", S, SEEN, "open completed deleted"),
    Enum("Draft.options.generate_order_id", S, SEEN, "ALPHANUMERIC_9", "the only value seen"),
    Enum("Draft.options.replace", S, SEEN, "order"),
    Enum("Discount line.discount_type", S, DERIVED, "customer periodic manual loyalty total employee external", _WORDS),
    Enum("Customer.type", S, DERIVED, "customer company contact employee other", _WORDS),
    Enum("Customer's address.type", S, DERIVED, "home work other custom", _WORDS),
    Enum("Service event.state", S, SEEN, "error failure success pending"),
    Enum("Service event.event_type", S, SEEN, "service-event"),
    Enum("Api event.event_type", S, SEEN, "api-event"),
    Enum("Comment.visibility", S, INFERRED, "private public", f"`private` is seen; {_WORDS}"),
    Enum("include_events", S, SEEN, "true false api-event service-event"),
    Enum("Asking for a token.grant_type", S, SEEN, "client_credentials", "other grants are not for clients of orders"),
    Enum("Token.token_type", S, SEEN, "Bearer"),
    Enum("Subscription.state", X, NONE, "active inactive suspended deleted"),
    Enum("Subscription's config.content_type", S, SEEN, "application/json"),
    Enum("Subscription's config.insecure_ssl", S, SEEN, "0 1"),
    Enum("Subscription's secret.type", S, SEEN, "HMAC-SHA1 Authorization AWS4-HMAC-SHA256"),
    Enum(
        "Delivery.event",
        S,
        SEEN,
        "shopping_draft_add shopping_draft_update shopping_draft_complete shopping_order_update shopping_order_event_add"
        " shopping_order_delete ping",
        "those of orders and drafts",
    ),
    Enum("Delivery.state", D, INFERRED, "waiting delivered ignored failed"),
    Enum("Health.status", X, NONE, "ok"),
    Enum("Feed's entry.type", X, NONE, "order draft_order"),
    Enum("Feed's entry.kind", X, NONE, _KINDS),
)
