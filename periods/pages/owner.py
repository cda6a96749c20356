"""What an owner sees: his balance with each association, his statements, what he paid and was charged."""

from django.contrib.auth import views
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse_lazy
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.admin.requests import user_of
from ledger.admin.signing_in import PatientSignIn
from periods.models import Owner, ServicePeriod
from periods.owner_view import account_of, owners_of
from periods.statements.printing import name_of, statement_pdf

SIGN_IN = "owner-sign-in"

sign_in = views.LoginView.as_view(
    template_name="pages/owner_sign_in.html",
    authentication_form=PatientSignIn,
    next_page=reverse_lazy("owner"),
    redirect_authenticated_user=True,
)
sign_out = views.LogoutView.as_view(next_page=reverse_lazy(SIGN_IN))


@login_required(login_url=SIGN_IN)
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what the signed-in person has with each association he is an owner of."""
    accounts = [account_of(owner) for owner in owners_of(user_of(request))]
    return render(request, "pages/owner.html", {"accounts": accounts})


@login_required(login_url=SIGN_IN)
@never_cache
@require_safe
def statement(request: HttpRequest, owner_id: str, period_id: str) -> HttpResponse:
    """Download one's own statement of a period that was closed; anybody else's is not found."""
    owner = get_object_or_404(owners_of(user_of(request)), pk=owner_id)
    periods = ServicePeriod.objects.select_related("association").filter(version__gt=0)
    period = get_object_or_404(periods, pk=period_id, association=owner.association_id)
    return pdf_answer(period, owner)


def pdf_answer(period: ServicePeriod, owner: Owner) -> HttpResponse:
    """Return an owner's statement as a file to be saved."""
    answer = HttpResponse(statement_pdf(period, owner), content_type="application/pdf")
    answer.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=name_of(period, owner)
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
